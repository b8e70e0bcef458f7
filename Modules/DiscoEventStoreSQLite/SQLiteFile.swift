#if SQLite
import DiscoCore
import Foundation

/// A database file, identified by its absolute path and by its identity in the file system: writes to a file that
/// was deleted or replaced while it is open are lost.
struct SQLiteFile: Sendable {
    let path: String
    private let identities: [Identity]

    private struct Identity: Hashable {
        let path: String
        let device: UInt64
        let inode: UInt64
    }

    /// - Parameter path: the path of files that exist and are open.
    init(opened path: String) {
        self.path = path
        // SQLite keeps the log beside the file itself, not beside a link to it.
        let real = URL(filePath: path).resolvingSymlinksInPath().path
        identities =
            [Self.identity(of: path, "")].compactMap(\.self)
            + ["-wal", "-shm"].compactMap { Self.identity(of: real, $0) }
    }

    private static func identity(of path: String, _ suffix: String) -> Identity? {
        var status = stat()
        guard stat(path + suffix, &status) == 0 else { return nil }
        return Identity(
            path: path + suffix, device: UInt64(truncatingIfNeeded: status.st_dev),
            inode: UInt64(truncatingIfNeeded: status.st_ino))
    }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unavailable`` if the path no longer leads to
    ///   the files that are open.
    func check() throws {
        for known in identities where Self.identity(of: known.path, "") != known {
            throw EventStoreError(
                .unavailable,
                "\(known.path) was deleted or replaced while it was open, so writes would be lost. "
                    + "Close the store and open it again, or restore the original file.")
        }
    }

    /// Whether committed data is in the log beside the database and not in it, because another process has it open.
    static func hasLog(_ path: String) -> Bool {
        var status = stat()
        return stat(URL(filePath: path).resolvingSymlinksInPath().path + "-wal", &status) == 0 && status.st_size > 0
    }

    /// Returns an absolute path, so that a change of the working directory does not lead to another file.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
    static func absolute(_ path: String) throws -> String {
        func refuse(_ reason: String) -> EventStoreError {
            EventStoreError(.configuration, "The path of the SQLite file \(reason)")
        }
        if path.isEmpty { throw refuse("is empty.") }
        if path.utf8.contains(0) { throw refuse("contains a NUL character.") }
        if path == ":memory:" { throw refuse("is :memory:. Use the memory store instead, or specify a file.") }
        var absolute = path
        if path.utf8.first == UInt8(ascii: "~") {
            let user = path.utf8.prefix { $0 != UInt8(ascii: "/") }
            guard user.count == 1 else {
                throw refuse("is \(path): only ~/ is expanded, to the home folder. Use an absolute path.")
            }
            absolute = NSHomeDirectory() + String(decoding: path.utf8.dropFirst(), as: UTF8.self)
        } else if path.utf8.first != UInt8(ascii: "/") {
            let folder = FileManager.default.currentDirectoryPath
            if folder.isEmpty {
                throw refuse("is \(path), and the working directory was deleted. Use an absolute path.")
            }
            absolute = folder + "/" + path
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: absolute, isDirectory: &isFolder), isFolder.boolValue {
            throw refuse("is \(absolute), which is a folder. Specify a file in it.")
        }
        return absolute
    }
}
#endif
