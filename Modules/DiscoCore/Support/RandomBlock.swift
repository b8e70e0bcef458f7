import Foundation

/// Randomness read from the system in blocks: a system call for each number costs more than the rest of making an id.
enum RandomBlock {
    private static let block = Locked((numbers: [UInt64](repeating: 0, count: 256), used: 256))

    static func next() -> (UInt64, UInt64) {
        block.withLock { block in
            if block.used == block.numbers.count {
                fill(&block.numbers)
                block.used = 0
            }
            defer { block.used += 2 }
            return (block.numbers[block.used], block.numbers[block.used + 1])
        }
    }

    private static func fill(_ numbers: inout [UInt64]) {
        let file = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        let size = numbers.count * MemoryLayout<UInt64>.size
        if file >= 0, numbers.withUnsafeMutableBytes({ read(file, $0.baseAddress, size) }) == size { return }
        // If there is no such file, generate the numbers one by one.
        for index in numbers.indices { numbers[index] = UInt64.random(in: .min ... .max) }
    }
}
