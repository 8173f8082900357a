import UmbraCLI

await Umbra.run()
