import UmbraCLI

Umbra.run()
