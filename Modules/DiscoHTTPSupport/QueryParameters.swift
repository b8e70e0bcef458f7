#if HTTP
package import DiscoCore
package import Foundation
import HTTPTypes

/// The parameters behind the question mark of a request.
package struct QueryParameters: Sendable {
    private let values: [(name: String, value: String)]

    /// - Throws: ``Problem`` if an escape is invalid.
    package init(_ query: Substring) throws {
        values = try query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw Problem(
                    .badRequest, "invalid_request",
                    "The query of the URL has an invalid percent escape. Send UTF-8.")
            }
            return (name, value)
        }
    }

    /// Refuses names that a route does not have: a misspelt `after` must not read everything.
    package func requireNames(_ known: [String]) throws {
        let unknown = values.map(\.name).filter { !known.contains($0) }
        let repeated = Dictionary(grouping: values.map(\.name), by: { $0 }).filter { $0.value.count > 1 }.keys
        var fields: [String: [String]] = [:]
        for name in unknown { fields[name] = ["is not a known parameter"] }
        for name in repeated where fields[name] == nil { fields[name] = ["occurs twice"] }
        if !fields.isEmpty { throw ValidationError(fields) }
    }

    package var names: [String] { values.map(\.name) }

    package func text(_ name: String) -> String? { values.first { $0.name == name }?.value }

    /// A list, separated by commas.
    package func list(_ name: String) -> [String]? {
        text(name).map { $0.split(separator: ",").map(String.init) }
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(digits: text), range.contains(number) else {
            throw ValidationError([name: ["must be an integer from \(range.lowerBound) to \(range.upperBound)"]])
        }
        return number
    }

    package func position(_ name: String) throws -> Position? {
        try integer(name, in: 0...Int.max).map { Position(rawValue: Int64($0)) }
    }

    package func date(_ name: String) throws -> Date? {
        guard let text = text(name) else { return nil }
        guard let date = Timestamp.date(from: text) else {
            throw ValidationError([name: ["must be an ISO 8601 date and time in UTC"]])
        }
        return date
    }

    package func flag(_ name: String) throws -> Bool? {
        guard let text = text(name) else { return nil }
        guard let flag = Bool(text) else { throw ValidationError([name: ["must be true or false"]]) }
        return flag
    }

    package func choice(_ name: String, among choices: [String]) throws -> String? {
        guard let text = text(name) else { return nil }
        guard choices.contains(text) else {
            throw ValidationError([name: ["must be one of: \(choices.joined(separator: ", "))"]])
        }
        return text
    }
}

extension Int {
    /// A whole number of digits only: no sign and no white space.
    package init?(digits text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}
#endif
