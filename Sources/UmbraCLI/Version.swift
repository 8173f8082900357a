/// The version in `--version`, session files and reports.
let umbraVersion = "0.1.0"
