import DiscoCore
import Foundation

/// Returns how many seconds `body` takes.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

extension Double {
    /// Formats the number with `digits` digits after the decimal point.
    func shown(_ digits: Int = 1) -> String { String(format: "%.\(digits)f", self) }
}

/// Resident memory in KiB: the current value, and the peak since the last reset (proc(5): VmHWM, clear_refs).
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

/// Makes an event of about 200 bytes, the size that the figures refer to.
func deposit(_ stream: StreamID) -> NewEvent { NewEvent(stream: stream, type: "Deposited", payload: payload) }

private let payload = deposited(bytes: 160)

func deposited(bytes: Int) -> JSONText {
    JSONText(["amount": 100, "memo": .string(String(repeating: "x", count: bytes))])
}

extension EventStoreClient {
    /// Appends `count` events, 100 per append, to 1,000 streams.
    func load(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 100) {
            try await append(
                Append((start..<min(count, start + 100)).map { deposit(StreamID("account-\($0 % 1000)")) }))
        }
    }
}
