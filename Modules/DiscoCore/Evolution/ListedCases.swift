/// The cases of an enum that lists them: Swift has no other way to learn them at run time.
enum ListedCases {
    /// `nil` if the type is not `CaseIterable`.
    static func of<Value>(_ type: Value.Type) -> [Value]? {
        guard let cases = (type as? any CaseIterable.Type)?.listed as? [Value], !cases.isEmpty else { return nil }
        return cases
    }

    /// The JSON of each case, or `nil` if one cannot be encoded.
    static func encoded<Value>(_ type: Value.Type) -> [JSON]? {
        guard let cases = of(type) else { return nil }
        let values = cases.compactMap { ($0 as? any Encodable).flatMap { try? JSON(encoding: $0) } }
        return values.count == cases.count ? values : nil
    }

    /// The coding keys of an enum without raw values, or `nil` if a case has associated values: a case without them is
    /// encoded as `{"spring": {}}`.
    static func names<Value>(_ type: Value.Type) -> [String]? {
        guard let values = encoded(type) else { return nil }
        let names = values.compactMap { value -> String? in
            guard let object = value.object, object.count == 1, object[0].value == [:] else { return nil }
            return object[0].name
        }
        return names.count == values.count ? names : nil
    }
}

extension CaseIterable {
    fileprivate static var listed: [Self] { Array(allCases) }
}
