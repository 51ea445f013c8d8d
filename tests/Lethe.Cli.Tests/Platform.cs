// Lethe runs on Linux only, and these tests use what only Linux has.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
