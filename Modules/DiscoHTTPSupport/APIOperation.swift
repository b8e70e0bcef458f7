#if HTTP
package import DiscoCore

/// What the OpenAPI document says of a route.
package struct APIOperation: Sendable {
    package struct Parameter: Sendable {
        package enum Place: String, Sendable { case path, query, header }
        /// How a value is written.
        package enum Form: Sendable {
            case plain
            /// A list, separated by commas.
            case list
            case json
        }

        package let name: String
        package let place: Place
        package let text: String
        package let schema: JSON
        package let isRequired: Bool
        package var form = Form.plain

        package static func path(_ name: String, _ text: String, _ schema: JSON = ["type": "string"]) -> Parameter {
            Parameter(name: name, place: .path, text: text, schema: schema, isRequired: true)
        }
        package static func query(
            _ name: String, _ text: String, _ schema: JSON = ["type": "string"], isRequired: Bool = false,
            form: Form = .plain
        ) -> Parameter {
            Parameter(name: name, place: .query, text: text, schema: schema, isRequired: isRequired, form: form)
        }
        package static func header(_ name: String, _ text: String, _ schema: JSON = ["type": "string"]) -> Parameter {
            Parameter(name: name, place: .header, text: text, schema: schema, isRequired: false)
        }
    }

    /// A header of an answer.
    package struct Header: Sendable {
        package let name: String
        package let text: String
        package let schema: JSON

        package init(_ name: String, _ text: String, _ schema: JSON = ["type": "string"]) {
            self.name = name
            self.text = text
            self.schema = schema
        }
    }

    package struct Answer: Sendable {
        package let text: String
        /// The schemas by their media types.
        package let content: [(type: String, schema: JSON)]
        package let headers: [Header]

        package init(_ text: String, _ content: [(type: String, schema: JSON)] = [], headers: [Header] = []) {
            self.text = text
            self.content = content
            self.headers = headers
        }

        package static func json(_ text: String, _ schema: JSON) -> Answer {
            Answer(text, [(MediaType.json, schema)])
        }
    }

    package let id: String
    package let summary: String
    package let parameters: [Parameter]
    package let body: [(type: String, schema: JSON)]
    package let answers: [(status: Int, answer: Answer)]
    /// The statuses of problems that the route can answer with, beside those of every route.
    package let problems: [Int]
    /// The group of the document that the operation belongs to.
    package var tag: String?

    package init(
        _ id: String, _ summary: String, parameters: [Parameter] = [], body: [(type: String, schema: JSON)] = [],
        answers: [(status: Int, answer: Answer)], problems: [Int] = []
    ) {
        self.id = id
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.problems = problems
    }

    package static func schema(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    /// The schema of a position, an integer of 64 bits.
    package static let position: JSON = ["type": "integer", "minimum": 0, "maximum": JSON(Int.max)]
}
#endif
