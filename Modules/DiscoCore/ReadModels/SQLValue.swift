/// A value as databases know it.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension SQLValue: CustomStringConvertible {
    /// For messages: the kind and the beginning of the value.
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
