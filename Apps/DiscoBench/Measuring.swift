import DiscoCore
import Foundation

/// Seconds that `body` takes.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

extension Double {
    /// With so many digits after the point.
    func shown(_ digits: Int = 1) -> String { String(format: "%.\(digits)f", self) }
}

/// Kibibytes of resident memory, now and at most since the last reset (proc(5): VmHWM, clear_refs).
enum Memory {
    static func resetPeak() throws {
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
    }
    static func peak() throws -> Int { try field("VmHWM:") }
    static func now() throws -> Int { try field("VmRSS:") }

    private static func field(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }
}

/// An event of about 200 bytes, as the figures are given for.
func deposit(_ stream: StreamID) -> NewEvent { NewEvent(stream: stream, type: "Deposited", payload: payload) }

private let payload = deposited(bytes: 160)

func deposited(bytes: Int) -> JSONText {
    JSONText(["amount": 100, "memo": .string(String(repeating: "x", count: bytes))])
}

extension EventStoreClient {
    /// Records so many events, 100 in an append, over 1,000 streams.
    func load(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 100) {
            try await append(
                Append((start..<min(count, start + 100)).map { deposit(StreamID("account-\($0 % 1000)")) }))
        }
    }
}
