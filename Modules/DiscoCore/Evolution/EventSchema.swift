import Foundation

/// The shapes of all event types, for a file under version control, which reveals a change that breaks old events
/// before it is released.
///
/// ```swift
/// let schema = EventSchema([Wallet.Event.self], upcasters: Wallet.upcasters)
/// try schema.check("events.json")    // in CI: throws with every problem and what to do about it
/// try schema.write(to: "events.json")  // after an intended change: commit the file
/// ```
///
/// Event enums must list their cases, with coding keys that are `CaseIterable`:
///
/// ```swift
/// enum CodingKeys: String, CodingKey, CaseIterable { case walletCreated, moneyDeposited }
/// ```
///
/// Optional fields may be added, and fields may become optional. Any other change needs a new version of the type
/// (``DomainEvent/typeVersions``) and an ``Upcaster`` from the previous one; a removed type needs one too.
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

    /// Traps if events of a type could not be found again (see ``DomainEvent``), or if an event enum, or an enum within
    /// one, does not list its cases.
    ///
    /// - Parameters:
    ///   - events: the event types.
    ///   - upcasters: the client's upcasters.
    public init(_ events: [any DomainEvent.Type], upcasters: [Upcaster] = []) {
        var shapes: [Key: Shape] = [:]
        let names = events.map(Self.name)
        for (event, short) in zip(events, names) {
            precondition(
                names.count { $0 == short } == 1,
                "Two event types are named \(short). Rename one, or keep their schemas in separate files.")
            for (type, version, shape) in event.shapes {
                shapes[Key(events: short, type: type, version: version)] = shape
            }
        }
        self.shapes = shapes
        self.upcasters = upcasters
    }

    /// Returns `Wallet.Event` for `WalletDomain.Wallet.Event`. The full name of a private type contains an address.
    private static func name(_ event: any DomainEvent.Type) -> String {
        let parts = String(reflecting: event).utf8.split(separator: UInt8(ascii: ".")).dropFirst()
        return parts.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.utf8.starts(with: "(".utf8) }
            .joined(separator: ".")
    }

    // MARK: The file

    /// The new text of the file: its previous shapes and the current ones.
    ///
    /// - Parameter file: the current text, or `nil` if there is no file.
    /// - Throws: ``JSONError`` if the text is not a schema file.
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

    /// Writes the current shapes to the file, and keeps those of versions that are only upcast from.
    ///
    /// - Throws: ``SchemaChanged`` if old events would break; nothing is written then.
    public func write(to path: String) throws {
        let present = try Self.contents(of: path)
        let problems = try problems(present ?? "{}")
        if !problems.isEmpty { throw SchemaChanged(problems: problems) }
        try text(following: present).write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Checks that the file has the current shapes and that old events still work.
    ///
    /// - Throws: ``SchemaChanged`` if old events would break, or if the file lacks a current shape.
    public func check(_ path: String) throws {
        guard let present = try Self.contents(of: path) else {
            throw SchemaChanged(problems: ["\(path) does not exist. Write it and commit it."])
        }
        var problems = try problems(present)
        if problems.isEmpty, try text(following: present) != present {
            problems = ["\(path) lacks compatible changes. Write it again and commit it."]
        }
        if !problems.isEmpty { throw SchemaChanged(problems: problems) }
    }

    /// Returns `nil` if there is no such file; throws if it cannot be read.
    private static func contents(of path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    // MARK: Problems

    /// The changes that break events recorded in the shapes of the file, each with what to do.
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
                    "\(key.type), version \(key.version), is recorded, but nothing handles it. Add an `Upcaster` from it, "
                        + "or `.dropping(\"\(key.type)\"" + (key.version == 1 ? "" : ", version: \(key.version)")
                        + ")`."
                ]
        }
        return turnedAtOnce + ofFile
    }

    /// The changes that break a recorded shape in the enum that had it; if that enum no longer has it, in one that is
    /// new in this file and took it over, for example under another name. `nil` if no enum has it.
    private func problems(of key: Key, _ old: JSON, in recorded: [Key: JSON]) -> [String]? {
        if let shape = shapes[key] { return Compatibility.problems(from: old, to: shape.json, key.type) }
        let others = shapes.filter { other, _ in
            other.type == key.type && other.version == key.version && recorded[other] == nil
        }
        return others.sorted { $0.key < $1.key }
            .map { Compatibility.problems(from: old, to: $0.value.json, key.type) }.min { $0.count < $1.count }
    }

    /// Types whose new events an upcaster would convert like the old ones.
    private var turnedAtOnce: [String] {
        shapes.keys.sorted().filter { key in upcasters.contains { $0.type == key.type && $0.typeVersion == key.version }
        }
        .map { key in
            "\(key.type) is recorded as version \(key.version), which an upcaster converts, "
                + "so it would convert new events too. Set `typeVersions` to the version that it returns."
        }
    }

    /// Whether upcasters convert a shape to known shapes. An upcaster does not state the versions it returns: every
    /// upcaster of a type without a current shape is followed.
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
        guard let enums = try JSONText(file).value().object else { throw JSONError("the file is not an object", at: 0) }
        var shapes: [Key: JSON] = [:]
        for (events, types) in enums {
            guard let types = types.object else { throw JSONError("\(events) has no types", at: 0) }
            if !types.isEmpty, types.allSatisfy({ Int($0.name) != nil }) {
                throw JSONError("\(events) has versions where its types belong: write the file again", at: 0)
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
            "\(Self.self) is not an enum with synthesised decoding: its shapes cannot be determined. "
                + "Leave it out of the schema, and check it with EventSamples."
        )
        precondition(
            types.known != nil,
            "\(Self.self) does not list its cases, and a schema needs all of them. Write "
                + "`enum CodingKeys: String, CodingKey, CaseIterable { case a, b }` in it, with its cases for a and b."
        )
        let reading = Shape.read(Self.self)
        let untold = reading.unreadable + reading.unlisted.filter { !reading.unreadable.contains($0) }
        precondition(
            untold.isEmpty, "The shapes of \(Self.self) cannot be determined because of \(Shape.remedy(for: untold))")
        guard case .choice(let cases) = reading.shape else {
            preconditionFailure("\(Self.self) has the shape \(reading.shape.json), which is not that of an event enum.")
        }
        return cases.map { one in
            let type = types.type(ofCase: one.name)
            return (type, typeVersions[type] ?? 1, one.shape)
        }
    }
}
