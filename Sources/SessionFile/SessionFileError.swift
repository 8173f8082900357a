// Why a session or run file could not be read or written: one line each, with what to do about it.

import Glibc

/// A file problem that an operator can mend.
public enum SessionFileError: Error, Hashable, Sendable {
  /// The system's error number from open, read or similar. `operation` is a verb: `open`, `read`, `create`.
  case system(path: String, operation: String, errno: Int32)
  case isDirectory(path: String)
  case empty(path: String)
  /// Ends within the first 32 bytes.
  case truncatedHeader(path: String)
  /// `content` names what it seems to be instead, where that could be told.
  case notSessionFile(path: String, content: ForeignContent?)
  case otherKind(path: String, kind: SessionFileKind, expected: SessionFileKind)
  case unknownKind(path: String, kind: UInt8)
  case newerVersion(path: String, major: UInt16, minor: UInt16)
  /// Writing would replace a session or run file, which was not asked for.
  case exists(path: String)
  /// Writing would destroy a file that is not umbra's.
  case existsForeign(path: String)
  case diskFull(path: String)
  /// The file reached the size limit of the process or of the file system.
  case fileTooLarge(path: String)
  /// The reader of a pipe has gone.
  case pipeClosed(path: String)
  case outOfMemory(path: String)
  /// Its blocks are encrypted, and no key was given.
  case encrypted(path: String)
  case wrongKey(path: String)
  /// The file's header, of which its key is made, is damaged.
  case encryptedHeaderLost(path: String)
  /// A pipe could not be copied to a temporary file.
  case spoolFull(path: String, directory: String)

  /// What a file that is not umbra's seems to be.
  public enum ForeignContent: Hashable, Sendable {
    case packetCapture, json, gzip, zstd, goReplay
  }
}

extension SessionFileError: CustomStringConvertible {
  /// A sentence for a person: what failed, where, and what to do.
  public var description: String {
    switch self {
    case .system(let path, let operation, let code):
      "cannot \(operation) \(path): \(String(cString: strerror(code)))\(SessionFileError.advice(code))"
    case .isDirectory(let path): "\(path) is a directory: name a file in it"
    case .empty(let path): "\(path) is empty: nothing was recorded in it; capture again"
    case .truncatedHeader(let path):
      "\(path) is cut off within its first \(FileHeader.size) bytes: nothing can be recovered; capture or copy it again"
    case .notSessionFile(let path, let content):
      switch content {
      case .packetCapture:
        "\(path) is a packet capture, not a session: record a session from it with "
          + "'umbra capture -r \(path) -w NEW.umbra'"
      case .json: "\(path) looks like JSON, not a session: if it is a HAR file, use 'umbra convert \(path) NEW.umbra'"
      case .gzip: "\(path) is gzip-compressed: decompress it first (gunzip)"
      case .zstd: "\(path) is zstd-compressed: decompress it first (unzstd)"
      case .goReplay: "\(path) looks like a GoReplay file: use 'umbra convert \(path) NEW.umbra'"
      case nil:
        "\(path) is not an umbra session or run file: check the name; sessions are written by 'umbra capture -w'"
      }
    case .otherKind(let path, let kind, let expected):
      "\(path) is a \(kind.name) file and a \(expected.name) file is needed here: "
        + (kind == .run ? "name the session it was replayed from" : "make one with 'umbra replay \(path) -o FILE'")
    case .unknownKind(let path, let kind):
      "\(path) is an umbra file of kind \(kind), which this version does not know: read it with a newer umbra"
    case .newerVersion(let path, let major, let minor):
      "\(path) has format version \(major).\(minor), this umbra reads up to \(FileHeader.currentMajor).x: "
        + "read it with a newer umbra"
    case .exists(let path): "\(path) exists: replace it with --overwrite, or choose another name"
    case .existsForeign(let path): "\(path) exists and is not an umbra file, so it is left alone: choose another name"
    case .diskFull(let path):
      "no space left for \(path): what was written before is readable; free some space and capture again"
    case .fileTooLarge(let path):
      "\(path) has reached the file size limit: what was written before is readable; raise the limit (ulimit -f)"
    case .pipeClosed(let path): "the reader of \(path) has closed the pipe: the rest was not written"
    case .spoolFull(let path, let directory):
      "no space left in \(directory) to keep \(path) while it is read: set TMPDIR to a directory with more room"
    case .encrypted(let path): "\(path) is encrypted: name the file of its key"
    case .wrongKey(let path):
      "the key is not that of \(path), or its first block was changed: name the key that it was encrypted to"
    case .encryptedHeaderLost(let path):
      "\(path) is encrypted and its file header is damaged: without it nothing can be decrypted; copy it again"
    case .outOfMemory(let path): "not enough memory to read or write \(path)"
    }
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case ENOENT: ": check the name"
    case EACCES, EPERM: ": check the permissions of the file and its directory"
    case EROFS: ": choose a file on a writable file system"
    default: ""
    }
  }
}
