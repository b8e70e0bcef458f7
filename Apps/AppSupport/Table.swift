package import DiscoCore

/// Prints rows as a table on a terminal and as lines of JSON elsewhere.
package struct Table {
    private let columns: [String]
    private let asJSON: Bool
    private var rows: [[String]] = []

    /// - Parameter json: whether to print lines of JSON on a terminal too.
    package init(_ columns: [String], json: Bool) {
        self.columns = columns
        asJSON = json || !Output.isTerminal
    }

    /// Prints a row at once as JSON, or keeps it for the table until ``finish()``.
    package mutating func add(_ object: JSON) throws {
        if asJSON { return try Output.print(object) }
        rows.append(columns.map { Self.shown(object[$0] ?? .null) })
    }

    /// Adds a row that is already a line of JSON; as JSON it is printed unchanged.
    package mutating func add(_ line: JSONText) throws {
        if asJSON { return try Output.write(line.string) }
        try add(line.value())
    }

    private static func shown(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .null: ""
        default: value.description
        }
    }

    /// Prints the gathered rows in columns as wide as their contents; columns of numbers are right-aligned.
    package mutating func finish() throws {
        if asJSON || rows.isEmpty { return }
        let widths = columns.indices.map { column in
            (rows.map { $0[column].count } + [columns[column].count]).max() ?? 0
        }
        let numeric = columns.indices.map { column in rows.allSatisfy { Int($0[column]) != nil || $0[column].isEmpty } }
        for row in [columns] + rows {
            let cells = row.enumerated().map { column, cell in
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                return numeric[column] ? pad + cell : cell + pad
            }
            try Output.write(cells.joined(separator: "  ").trimmingTrailingSpaces)
        }
        rows = []
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
