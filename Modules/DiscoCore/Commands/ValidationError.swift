/// Everything that is wrong with a command or query, by field.
public struct ValidationError: Error, Hashable, Sendable {
    /// The messages for each field; each completes a sentence that begins with the field's name.
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
    /// Validates the request; throws a ``ValidationError`` with everything that is wrong.
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

    /// Decodes and validates a request dispatched by name: reports the problems of all fields at once, unknown fields
    /// too.
    public init(validating json: JSON) throws {
        guard let object = json.object else {
            throw ValidationError(["": ["must be an object with the fields of \(Self.name)"]])
        }
        guard json.isNested(atMost: JSONParser.deepest) else {
            throw ValidationError(["": ["must not be nested more than \(JSONParser.deepest) levels deep"]])
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
                // Decoding stopped before this field.
                let message = object[rule.field] == nil ? "is required" : "is of the wrong type"
                errors.add([rule.typeMessage ?? message], to: rule.field)
            }
        }
        throw errors
    }
}
