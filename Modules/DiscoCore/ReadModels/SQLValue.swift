/// A database value.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension SQLValue: CustomStringConvertible {
    /// The kind and the start of the value, for messages.
    public var description: String {
        switch self {
        case .null: "null"
        case .integer(let value): "the integer \(value)"
        case .real(let value): "the number \(value)"
        case .text(let text): "the text \"\(text.cut(to: 80))\""
        case .blob(let bytes): "\(bytes.count) bytes"
        }
    }
}
