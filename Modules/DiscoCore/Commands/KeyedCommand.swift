/// A command with its own idempotency key, for example the id of the order it belongs to.
///
/// However often it is sent, it takes effect once; every repeat returns the first result.
public protocol KeyedCommand: Command {
    /// At most 255 bytes.
    var idempotencyKey: String { get }
}

extension IdempotencyKey {
    /// Makes a key for a command. The fingerprint covers the command's name and fields, so that another command under
    /// the same key is refused.
    ///
    /// - Throws: ``ValidationError`` if the key is one that no store accepts.
    init(_ key: String, for command: some Command) throws {
        do {
            try NameCheck.append.check(IdempotencyKey(key, fingerprint: ""))
        } catch {
            throw Self.unusable
        }
        let fields = JSONText(try JSON(encoding: command).canonical).bytes
        let hash = FNV1a.hash(fields)
        self.init(key, fingerprint: "\(type(of: command).name):\(fields.count):\(String(hash, radix: 16))")
    }
}

extension IdempotencyKey {
    static let unusable = ValidationError([
        "idempotency_key": ["must be 1 to 255 bytes long, contain no NUL, and not begin with $"]
    ])

    /// Whether it is closed to callers, because Disco makes such keys itself.
    static func isReserved(_ key: String) -> Bool { key.utf8.first == UInt8(ascii: "$") }
}

extension JSON {
    /// The same value with the members of every object sorted by the bytes of their names.
    var canonical: JSON {
        switch self {
        case .array(let elements): return .array(elements.map(\.canonical))
        case .object(let object):
            let members = object.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            return .object(Object(members.map { ($0.name, $0.value.canonical) }))
        default: return self
        }
    }
}
