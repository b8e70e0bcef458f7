/// Everything that is wrong with a command or query, by field.
public struct ValidationError: Error, Hashable, Sendable {
    /// The messages of each field, each completing a sentence that begins with its name.
    public private(set) var fields: [String: [String]]

    public init(_ fields: [String: [String]]) { self.fields = fields }

    mutating func add(_ messages: [String], to field: String) {
        for message in messages where fields[field]?.contains(message) != true {
            fields[field, default: []].append(message)
        }
    }

    mutating func replace(_ field: String, with message: String) { fields[field] = [message] }
}

extension ValidationError: CustomStringConvertible {
    public var description: String {
        fields.sorted { $0.key < $1.key }
            .map { $0.key + " " + $0.value.joined(separator: ", ") }.joined(separator: "; ")
    }
}

extension NamedRequest {
    /// Throws a ``ValidationError`` with everything that is wrong.
    public func validated() throws {
        var errors = ValidationError([:])
        for rule in Self.rules { errors.add(rule.failures(self), to: rule.field) }
        do {
            try validate()
        } catch let more as ValidationError {
            for (field, messages) in more.fields { errors.add(messages, to: field) }
        }
        if !errors.fields.isEmpty { throw errors }
    }

    /// Decodes and validates a request that came in by name: every field's faults at once, and names that no field has.
    public init(validating json: JSON) throws {
        guard let object = json.object else {
            throw ValidationError(["": ["must be an object with the fields of \(Self.name)"]])
        }
        guard json.isNested(atMost: JSONParser.deepest) else {
            throw ValidationError(["": ["must not be nested more than \(JSONParser.deepest) deep"]])
        }
        let issues = DecodingIssues()
        var decoded: Self?
        do {
            decoded = try Self(from: JSONDecoding(json, path: [], issues: issues))
            issues.recordUnknown()
        } catch let error as DecodingError {
            if issues.messages.isEmpty { throw error }
        }
        if issues.messages.isEmpty, let decoded {
            try decoded.validated()
            self = decoded
            return
        }
        var errors = ValidationError(issues.messages)
        for rule in Self.rules {
            if issues.messages[rule.field] != nil {
                if let message = rule.typeMessage { errors.replace(rule.field, with: message) }
            } else if let failures = rule.failuresInField(object[rule.field]) {
                errors.add(failures, to: rule.field)
            } else if decoded == nil {
                // Decoding came to an end before this field.
                let message = object[rule.field] == nil ? "is required" : "is of the wrong type"
                errors.add([rule.typeMessage ?? message], to: rule.field)
            }
        }
        throw errors
    }
}
