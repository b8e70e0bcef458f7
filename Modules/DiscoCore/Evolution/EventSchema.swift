import Foundation

/// The shapes of all event types, for a file under version control: a change that old events would not survive is then
/// found before it is released.
///
/// ```swift
/// let schema = EventSchema([Wallet.Event.self], upcasters: Wallet.upcasters)
/// try schema.check("events.json")    // in CI: throws with every problem, and what to do about it
/// try schema.write(to: "events.json")  // after a change that is meant: commit the file
/// ```
///
/// The enums of events list their cases, by coding keys that are `CaseIterable`:
///
/// ```swift
/// enum CodingKeys: String, CodingKey, CaseIterable { case walletCreated, moneyDeposited }
/// ```
///
/// Fields may be added if they are optional, and become optional. Whatever else changes needs a new version of the type
/// (``DomainEvent/typeVersions``) and an ``Upcaster`` from the one before; a type that is gone needs one too.
public struct EventSchema: Sendable {
    private struct Key: Hashable, Comparable {
        /// The Swift type of the events, without its module.
        var events: String
        var type: String
        var version: Int

        static func < (one: Key, other: Key) -> Bool {
            (one.events, one.type, one.version) < (other.events, other.type, other.version)
        }
    }

    private let shapes: [Key: Shape]
    private let upcasters: [Upcaster]

    /// Traps on a type whose events could not be found again (``DomainEvent`` says more), and on an enum, of events or
    /// within one, that does not list its cases.
    ///
    /// - Parameters:
    ///   - events: the types of the events.
    ///   - upcasters: those of the client.
    public init(_ events: [any DomainEvent.Type], upcasters: [Upcaster] = []) {
        var shapes: [Key: Shape] = [:]
        let names = events.map(Self.name)
        for (event, short) in zip(events, names) {
            precondition(
                names.count { $0 == short } == 1,
                "Two types of events have the name \(short). Rename one, or keep their schemas in two files.")
            for (type, version, shape) in event.shapes {
                shapes[Key(events: short, type: type, version: version)] = shape
            }
        }
        self.shapes = shapes
        self.upcasters = upcasters
    }

    /// `Wallet.Event` of `WalletDomain.Wallet.Event`. Where a type is private there is an address in its full name.
    private static func name(_ event: any DomainEvent.Type) -> String {
        let parts = String(reflecting: event).utf8.split(separator: UInt8(ascii: ".")).dropFirst()
        return parts.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.utf8.starts(with: "(".utf8) }
            .joined(separator: ".")
    }

    // MARK: The file

    /// What the file holds from now on: what it held, and today's shapes.
    ///
    /// - Parameter file: its present text, nil where there is none.
    /// - Throws: ``JSONError`` where the text is none of such a file.
    public func text(following file: String? = nil) throws -> String {
        var all = try file.map(Self.read) ?? [:]
        for (key, shape) in shapes { all[key] = shape.json }
        let enums = Dictionary(grouping: all, by: \.key.events).sorted { $0.key < $1.key }
        let lines = enums.map { events, all in
            let types = Dictionary(grouping: all, by: \.key.type).sorted { $0.key < $1.key }
            let blocks = types.map { type, versions in
                let rows = versions.sorted { $0.key.version < $1.key.version }.map { key, shape in
                    "      \"\(key.version)\": \(shape.description)"
                }
                return "    \(JSON.string(type).description): {\n" + rows.joined(separator: ",\n") + "\n    }"
            }
            return "  \(JSON.string(events).description): {\n" + blocks.joined(separator: ",\n") + "\n  }"
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    /// Writes today's shapes into the file, beside those of versions that are only upcast from.
    ///
    /// - Throws: ``SchemaChanged`` where old events would not survive: nothing is written then.
    public func write(to path: String) throws {
        let present = try Self.contents(of: path)
        let problems = try problems(present ?? "{}")
        if !problems.isEmpty { throw SchemaChanged(problems: problems) }
        try text(following: present).write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// - Throws: ``SchemaChanged`` where old events would not survive, or where the file lacks a shape of today.
    public func check(_ path: String) throws {
        guard let present = try Self.contents(of: path) else {
            throw SchemaChanged(problems: ["\(path) is not there. Write it, and commit it."])
        }
        var problems = try problems(present)
        if problems.isEmpty, try text(following: present) != present {
            problems = ["\(path) lacks changes that harm nothing. Write it anew, and commit it."]
        }
        if !problems.isEmpty { throw SchemaChanged(problems: problems) }
    }

    /// Nil where there is no such file; one that cannot be read is another matter.
    private static func contents(of path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    // MARK: What does not go

    /// What events that were recorded in the shapes of the file would not survive, and what to do about it.
    public func problems(_ file: String) throws -> [String] {
        let recorded = try Self.read(file)
        let ofFile = recorded.sorted { $0.key < $1.key }.flatMap { key, old -> [String] in
            let problems = problems(of: key, old, in: recorded)
            let remedy =
                "Record \(key.type) as version \(key.version + 1) (`typeVersions`), "
                + "and add `Upcaster(\"\(key.type)\", from: \(key.version), to: \(key.version + 1)) { … }`."
            if let problems { return problems.map { "\($0). \(remedy)" } }
            return leadsToToday(key)
                ? []
                : [
                    "\(key.type), version \(key.version), is recorded, and nothing knows it any more. Add an `Upcaster` from it, "
                        + "or `.dropping(\"\(key.type)\"" + (key.version == 1 ? "" : ", version: \(key.version)")
                        + ")`."
                ]
        }
        return turnedAtOnce + ofFile
    }

    /// What a recorded shape would not survive in the enum that had it; where that has it no more, in one that is new in
    /// this file and took it over, as by another name. Nil where there is none.
    private func problems(of key: Key, _ old: JSON, in recorded: [Key: JSON]) -> [String]? {
        if let shape = shapes[key] { return Compatibility.problems(from: old, to: shape.json, key.type) }
        let others = shapes.filter { other, _ in
            other.type == key.type && other.version == key.version && recorded[other] == nil
        }
        return others.sorted { $0.key < $1.key }
            .map { Compatibility.problems(from: old, to: $0.value.json, key.type) }.min { $0.count < $1.count }
    }

    /// Types whose new events an upcaster would turn as it turns the old ones.
    private var turnedAtOnce: [String] {
        shapes.keys.sorted().filter { key in upcasters.contains { $0.type == key.type && $0.typeVersion == key.version }
        }
        .map { key in
            "\(key.type) is recorded as version \(key.version), which an upcaster turns: new events would be turned too. "
                + "Give `typeVersions` the version that it leads to."
        }
    }

    /// Whether upcasters lead from a shape to shapes that are known. Where an upcaster yields a version is its own
    /// affair: one that goes on to another is followed, at the latest to the version of today.
    private func leadsToToday(_ key: Key) -> Bool {
        var open = [key]
        var seen: Set<Key> = []
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            guard let upcaster = upcasters.first(where: { $0.type == next.type && $0.typeVersion == next.version })
            else {
                return false
            }
            for type in upcaster.types where !shapes.keys.contains(where: { $0.type == type }) {
                let further = upcasters.filter { $0.type == type }
                    .map { Key(events: key.events, type: type, version: $0.typeVersion) }
                if further.isEmpty { return false }
                open += further
            }
        }
        return true
    }

    private static func read(_ file: String) throws -> [Key: JSON] {
        guard let enums = try JSONText(file).value().object else { throw JSONError("the file is no object", at: 0) }
        var shapes: [Key: JSON] = [:]
        for (events, types) in enums {
            guard let types = types.object else { throw JSONError("\(events) has no types", at: 0) }
            if !types.isEmpty, types.allSatisfy({ Int($0.name) != nil }) {
                throw JSONError("\(events) has versions where its types belong: the file must be written anew", at: 0)
            }
            for (type, versions) in types {
                guard let versions = versions.object else { throw JSONError("\(type) has no versions", at: 0) }
                for (version, shape) in versions {
                    guard let version = Int(version) else { throw JSONError("\(type) has a version \(version)", at: 0) }
                    shapes[Key(events: events, type: type, version: version)] = shape
                }
            }
        }
        return shapes
    }
}

extension DomainEvent {
    fileprivate static var shapes: [(type: String, version: Int, shape: Shape)] {
        let types = EventTypes.of(Self.self)
        precondition(types.problems.isEmpty, types.problems.joined(separator: "\n"))
        precondition(
            types.knowsCases,
            "\(Self.self) is not an enum with synthesised decoding: its shapes cannot be told. "
                + "Leave it out of the schema, and keep EventSamples."
        )
        precondition(
            types.known != nil,
            "\(Self.self) does not list its cases, and a schema needs all of them. Write "
                + "`enum CodingKeys: String, CodingKey, CaseIterable { case a, b }` in it, with its cases for a and b."
        )
        let reading = Shape.read(Self.self)
        let untold = reading.unreadable + reading.unlisted.filter { !reading.unreadable.contains($0) }
        precondition(
            untold.isEmpty, "The shapes of \(Self.self) cannot be told behind \(Shape.remedy(for: untold))")
        guard case .choice(let cases) = reading.shape else {
            preconditionFailure("\(Self.self) has the shape \(reading.shape.json), which is none of an enum of events.")
        }
        return cases.map { one in
            let type = types.type(ofCase: one.name)
            return (type, typeVersions[type] ?? 1, one.shape)
        }
    }
}
