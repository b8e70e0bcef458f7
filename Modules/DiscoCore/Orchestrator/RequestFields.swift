/// The fields of a command or query, for a front end that describes them and reads them from text.
package struct RequestFields: Sendable {
    package struct Field: Sendable {
        package let name: String
        package let isRequired: Bool
        /// The field without the null that an optional one may be.
        let shape: Shape

        init(_ field: Shape.Field) {
            name = field.name
            if case .optional(let shape) = field.shape {
                (isRequired, self.shape) = (false, shape)
            } else {
                (isRequired, shape) = (true, field.shape)
            }
        }

        /// The JSON schema of the value in a text, such as a parameter of a URL: lists and objects are JSON.
        package var textSchema: JSON {
            switch shape {
            case .value("any"), .list, .map, .object, .choice:
                [
                    "type": "string", "contentMediaType": "application/json",
                    "contentSchema": shape.schema(isClosed: false),
                ]
            case .named: ["type": "string"]
            default: shape.schema(isClosed: false)
            }
        }

        /// The value that a text stands for; the text itself if it is no such value, so that the request refuses it.
        package func value(of text: String) -> JSON {
            switch shape {
            case .value("boolean"): Bool(text).map(JSON.bool) ?? .string(text)
            case .value("integer"), .value("number"), .value("decimal"):
                if case .number(let number)? = Self.parsed(text) { .number(number) } else { .string(text) }
            case .value("any"), .list, .map, .object, .choice: Self.parsed(text) ?? .string(text)
            case .anyOf(let values):
                values.first { $0 == .string(text) } ?? values.first { $0 == Self.parsed(text) } ?? .string(text)
            case .named:
                // Its form is not known; only a text that must be JSON counts as JSON.
                text.utf8.first.map { "{[".utf8.contains($0) } == true
                    ? Self.parsed(text) ?? .string(text) : .string(text)
            default: .string(text)
            }
        }

        private static func parsed(_ text: String) -> JSON? {
            try? JSONText(unchecked: Array(text.utf8)).value()
        }
    }

    package let fields: [Field]
    /// Whether these are all: a type whose shape is unknown hides the fields that follow it.
    package let isComplete: Bool
    /// The JSON schema of the request as an object.
    package let schema: JSON
    /// The JSON schema of what it returns.
    package let outputSchema: JSON

    init<R: NamedRequest>(of request: R.Type, output: Any.Type) {
        outputSchema = Self.schema(ofOutput: output)
        let reading = Shape.read(request)
        if case .object(let fields) = reading.shape {
            self.fields = fields.map(Field.init)
            isComplete = reading.unreadable.isEmpty
            schema = reading.shape.schema(isClosed: isComplete)
        } else {
            fields = []
            isComplete = false
            schema = ["type": "object"]
        }
    }

    /// A type that can be decoded too shows its shape.
    private static func schema(ofOutput type: Any.Type) -> JSON {
        func read<Value: Decodable>(_ type: Value.Type) -> JSON {
            let reading = Shape.read(type)
            return reading.unreadable.isEmpty && reading.unlisted.isEmpty ? reading.shape.schema(isClosed: false) : [:]
        }
        return (type as? any Decodable.Type).map { read($0) } ?? [:]
    }
}

extension Orchestrator {
    /// The fields of a command; `nil` if there is no such command.
    package func fields(ofCommand name: String) -> RequestFields? { commandFields[name]?() }

    /// The fields of a query; `nil` if there is no such query.
    package func fields(ofQuery name: String) -> RequestFields? { queryFields[name]?() }

    /// The last position of the store.
    package func head() async throws -> Position { try await client.head() }
}
