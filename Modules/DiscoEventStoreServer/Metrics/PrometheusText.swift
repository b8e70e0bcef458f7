#if HTTP
/// How names, labels and numbers are written in the text format of Prometheus.
enum PrometheusText {
    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func name(_ label: String) -> String { identifier(label, colons: true) }

    /// Labels as they stand between the braces, sorted by name. Of labels whose names become the same, the first is kept.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            let name = labelName(name)
            if values[name] == nil { values[name] = value }
        }
        return values.sorted { $0.key < $1.key }.map { "\($0)=\"\(escaped($1, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`. Prometheus keeps names that start with `__` for itself, and `le` for the
    /// buckets of histograms.
    private static func labelName(_ name: String) -> String {
        let name = identifier(name, colons: false)
        return name.hasPrefix("__") || name == "le" ? "exported_" + name : name
    }

    static func help(_ text: String) -> String { escaped(text, quotes: false) }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
        return "\(value)"
    }

    private static func identifier(_ text: String, colons: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.unicodeScalars.append(scalar)
            case "0"..."9":
                if name.isEmpty { name = "_" }
                name.unicodeScalars.append(scalar)
            case ":" where colons: name.unicodeScalars.append(scalar)
            default: name += "_"
            }
        }
        return name.isEmpty ? "_" : name
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
#endif
