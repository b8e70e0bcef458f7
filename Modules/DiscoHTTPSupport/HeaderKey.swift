#if HTTP
package import DiscoCore

/// The idempotency key in the header of a request.
package enum HeaderKey {
    package static let name = "Idempotency-Key"
    package static let schema: JSON = [
        "type": "string", "pattern": "^[!-#%-~]([ -~]*[!-~])?$", "maxLength": 255, "examples": ["order-77"],
    ]

    /// Refuses a key that is not ASCII too: other characters have no agreed encoding in a header, so two keys could
    /// arrive as the same one.
    ///
    /// - Throws: `ValidationError`.
    package static func check(_ key: String, longest: Int = 255) throws {
        guard (1...longest).contains(key.utf8.count), !key.utf8.starts(with: "$".utf8) else {
            throw ValidationError([name: ["must be 1 to \(longest) bytes long and not begin with $"]])
        }
        guard key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw ValidationError([name: ["must consist of visible ASCII characters and spaces"]])
        }
    }
}
#endif
