#if SQLite
import Foundation

extension UUID {
    /// The sixteen bytes of the UUID.
    var blob: Data { withUnsafeBytes(of: uuid) { Data($0) } }

    /// Returns `nil` unless there are sixteen bytes.
    init?(blob: Data) {
        guard blob.count == 16 else { return nil }
        self = NSUUID(uuidBytes: [UInt8](blob)) as UUID
    }
}
#endif
