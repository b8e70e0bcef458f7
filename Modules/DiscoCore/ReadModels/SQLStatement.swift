/// One SQL statement with its values, which are bound, never inserted into the text.
///
/// ```swift
/// let sql: SQLStatement = "UPDATE wallets SET balance = \(balance) WHERE id = \(id)"
/// ```
public struct SQLStatement: ExpressibleByStringInterpolation, Sendable {
    /// The text before, between and after the values: one more piece than there are values.
    let pieces: [String]
    public let values: [SQLValue]
    /// Names of tables of projections, which depend on the generation, with their places in the pieces.
    let tables: [TableReference]
    /// Why a value could not be bound.
    let problem: EventStoreError?

    struct TableReference: Sendable {
        let name: String
        /// The index of the piece, and where in it the name belongs.
        let piece: Int
        let offset: Int
        /// Whether it is the name of a table, and not of something that belongs to one.
        let isTable: Bool
    }

    public init(stringLiteral value: String) {
        pieces = [value]
        values = []
        tables = []
        problem = nil
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        pieces = interpolation.pieces
        values = interpolation.values
        tables = interpolation.tables
        problem = interpolation.problem
    }

    private init(pieces: [String], values: [SQLValue], problem: EventStoreError?) {
        self.pieces = pieces
        self.values = values
        tables = []
        self.problem = problem
    }

    /// A statement that begins with text that has no values.
    init(beginning prefix: String, _ statement: SQLStatement) {
        self.init(
            pieces: [prefix + " " + statement.pieces[0]] + statement.pieces.dropFirst(), values: statement.values,
            problem: statement.problem)
    }

    /// The statement with the names of tables inserted.
    func resolved(_ name: (TableReference) throws -> String) rethrows -> SQLStatement {
        if tables.isEmpty { return self }
        var pieces = pieces
        // From the last to the first, so that places stay valid.
        for table in tables.reversed() {
            let piece = pieces[table.piece]
            let place = piece.utf8.index(piece.startIndex, offsetBy: table.offset)
            pieces[table.piece] = piece[..<place] + (try name(table)) + piece[place...]
        }
        return SQLStatement(pieces: pieces, values: values, problem: problem)
    }

    /// A statement that ends with text that has no values.
    init(_ statement: SQLStatement, ending suffix: String) {
        var pieces = statement.pieces
        pieces[pieces.count - 1] += " " + suffix
        self.init(pieces: pieces, values: statement.values, problem: statement.problem)
    }

    /// The text with a placeholder for each value; `placeholder` gets the value's number, starting at 1.
    public func text(placeholder: (Int) -> String) -> String {
        var text = pieces[0]
        for (index, piece) in pieces.dropFirst().enumerated() { text += placeholder(index + 1) + piece }
        return text
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var pieces = [""]
        var values: [SQLValue] = []
        var tables: [TableReference] = []
        var problem: EventStoreError?

        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) { pieces[pieces.count - 1] += literal }

        /// A separate overload for optionals, so that the compiler does not warn about them.
        public mutating func appendInterpolation<Value: SQLConvertible>(_ value: Value?) { append(value) }
        public mutating func appendInterpolation(_ value: some SQLConvertible) { append(value) }

        /// The name of a table that exists once for each generation of a projection: in `setUp` and `apply` that of the
        /// generation being written, everywhere else that of the live one.
        public mutating func appendInterpolation(table name: String) { append(name, isTable: true) }

        /// The name of an index on such a table, or of anything else that exists once for each generation.
        public mutating func appendInterpolation(index name: String) { append(name, isTable: false) }

        private mutating func append(_ name: String, isTable: Bool) {
            if let fault = TableName.fault(of: name) {
                problem = problem ?? EventStoreError(.invalidArgument, fault)
                return
            }
            let piece = pieces.count - 1
            tables.append(
                TableReference(name: name, piece: piece, offset: pieces[piece].utf8.count, isTable: isTable))
        }

        private mutating func append(_ value: some SQLConvertible) {
            pieces.append("")
            do {
                values.append(try value.sqlValue)
            } catch {
                values.append(.null)
                problem =
                    problem ?? error as? EventStoreError
                    ?? EventStoreError(.invalidArgument, "A value cannot be bound: \(error)", underlying: error)
            }
        }
    }
}
