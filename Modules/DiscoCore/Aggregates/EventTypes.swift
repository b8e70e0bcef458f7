/// Maps the cases of an event enum to their recorded types and back, and finds problems that would lose events.
///
/// The enum's coding keys tell whether a name is one of the cases. Only keys that are `CaseIterable` list all of them.
struct EventTypes: Sendable {
    /// The reasons why recorded events of this Swift type could not be found again: one sentence each, with what to do.
    private(set) var problems: [String] = []
    /// All types, sorted; `nil` if the enum does not list its cases.
    let known: [String]?

    private let event: String
    private let isCase: (@Sendable (String) -> Bool)?
    private let typesOfCases: [ExactText: String]
    /// The cases of each type in `typesOfCases`, sorted.
    private let casesOfStatedTypes: [ExactText: [String]]
    /// The case of each type known at startup.
    private var caseOfType: [ExactText: String] = [:]
    /// The case of each type found since then, looked up for every event that is read.
    private let found = Locked<[ExactText: String]>([:])

    private static let all = Locked<[ObjectIdentifier: EventTypes]>([:])

    static func of<Event: DomainEvent>(_ event: Event.Type) -> EventTypes {
        let id = ObjectIdentifier(event)
        if let types = all.withLock({ $0[id] }) { return types }
        let types = EventTypes(event)
        all.withLock { $0[id] = types }
        return types
    }

    private init<Event: DomainEvent>(_ event: Event.Type) {
        let cases = EventCases.of(event)
        let stated = Dictionary(Event.typesOfCases.map { (ExactText($0.key), $0.value) }) { $1 }
        self.event = "\(event)"
        isCase = cases.isCase
        typesOfCases = stated
        casesOfStatedTypes = Dictionary(
            grouping: Event.typesOfCases.keys.sorted(), by: { ExactText(Event.typesOfCases[$0] ?? $0) })
        known = cases.names?.map { stated[ExactText($0)] ?? DerivedName.capitalized($0) }.sorted()
        problems = cases.problem.map { ["\(event) \($0)"] } ?? []
        let named = cases.names ?? Event.typesOfCases.keys.sorted()
        problems += settle(named.map(type(ofCase:)) + Event.typeVersions.keys.sorted()) + refused(named)
        problems += misspelt(Event.self, cases.names) + wrongVersions(Event.typeVersions)
    }

    /// Whether it is known which names are cases; `false` if decoding is hand-written.
    var knowsCases: Bool { isCase != nil }

    func type(ofCase name: String) -> String { typesOfCases[ExactText(name)] ?? DerivedName.capitalized(name) }

    /// Returns the case recorded as this type, or `nil` if there is none.
    ///
    /// - Throws: ``CasesOfOneType`` if there are several. If the cases are not listed, two that differ only in the
    ///   capitalization of their first letter are found only here.
    func caseName(ofType type: String) throws(CasesOfOneType) -> String? {
        if let name = caseOfType[ExactText(type)] { return name }
        if let name = found.withLock({ $0[ExactText(type)] }) { return name }
        let cases = cases(ofType: type)
        if cases.count > 1 { throw CasesOfOneType(event: event, cases: (cases[0], cases[1]), type: type) }
        if knowsCases, let name = cases.first { found.withLock { $0[ExactText(type)] = name } }
        return cases.first
    }

    private func cases(ofType type: String) -> [String] {
        let stated = casesOfStatedTypes[ExactText(type)] ?? []
        let small = DerivedName.uncapitalized(type)
        guard let isCase else { return stated.isEmpty ? [small] : stated }
        // The only names from which this type can be derived.
        let names = ExactText.areEqual(small, type) ? [type] : [small, type]
        let derived = names.filter { name in
            typesOfCases[ExactText(name)] == nil && ExactText.areEqual(DerivedName.capitalized(name), type)
                && isCase(name)
        }
        return derived + stated.filter(isCase)
    }
}

/// Two cases whose events would be recorded as the same type.
struct CasesOfOneType: Error, CustomStringConvertible {
    let event: String
    let cases: (String, String)
    let type: String

    var description: String {
        "\(event) records the cases \(cases.0) and \(cases.1) as the same type, \(type). "
            + "Rename one of them, or give it another type in `typesOfCases`."
    }
}

// MARK: Problems found at startup

extension EventTypes {
    /// Finds the cases of these types.
    private mutating func settle(_ types: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return types.filter { seen.insert(ExactText($0)).inserted }.flatMap { type in
            let cases = cases(ofType: type)
            if knowsCases, cases.count == 1 { caseOfType[ExactText(type)] = cases[0] }
            return cases.dropFirst().map {
                CasesOfOneType(event: event, cases: (cases[0], $0), type: type).description
            }
        }
    }

    private func refused(_ names: [String]) -> [String] {
        names.compactMap { name in
            do {
                try Append.check(type: type(ofCase: name))
                return nil
            } catch {
                return "\(event) records its case \(name) under a name that no store accepts. \(error)"
            }
        }
    }

    private func misspelt<Event: DomainEvent>(_ type: Event.Type, _ names: [String]?) -> [String] {
        guard let isCase else { return [] }
        let cases = Event.typesOfCases.keys.sorted().filter { !isCase($0) }.map { name in
            "`typesOfCases` of \(event) names the case \(name), which does not exist. "
                + (names.map { "The cases are \($0.sorted().joined(separator: ", "))." } ?? "Correct the name.")
        }
        let types = Event.typeVersions.keys.sorted().filter { self.cases(ofType: $0).isEmpty }.map { type in
            "`typeVersions` of \(event) names the type \(type), but no case is recorded as this type. "
                + (known.map { "The types are \($0.joined(separator: ", "))." } ?? "Correct the name.")
        }
        return cases + types
    }

    private func wrongVersions(_ versions: [String: Int]) -> [String] {
        versions.sorted { $0.key < $1.key }.filter { !NewEvent.typeVersions.contains($0.value) }.map { type, version in
            "`typeVersions` of \(event) gives \(type) the version \(version). "
                + "Versions range from \(NewEvent.typeVersions.lowerBound) to \(NewEvent.typeVersions.upperBound)."
        }
    }
}
