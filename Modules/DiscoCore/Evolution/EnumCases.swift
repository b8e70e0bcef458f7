/// The cases of an enum without associated values, `CaseIterable` or not.
enum EnumCases {
    static func all<Value>(of type: Value.Type) -> [Value]? {
        if let iterable = type as? any CaseIterable.Type { return iterable.listed as? [Value] }
        // Synthesised coding keys list their cases nowhere but in the type's metadata, whose layout is part of Swift's
        // ABI ("TypeMetadata.rst" in the Swift repository): the kind of an enum is 0x201; behind it lies its
        // descriptor, with the number of cases with values in the low 24 bits at byte 20, and the number without at
        // byte 24. Such an enum is stored as its case's number.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        guard metadata.load(as: Int.self) == 0x201 else { return nil }
        let descriptor = metadata.load(fromByteOffset: MemoryLayout<Int>.size, as: UnsafeRawPointer.self)
        let withValues = descriptor.load(fromByteOffset: 20, as: UInt32.self) & 0xff_ffff
        let count = Int(descriptor.load(fromByteOffset: 24, as: UInt32.self))
        guard withValues == 0, count > 0 else { return nil }
        switch (MemoryLayout<Value>.size, count) {
        case (0, 1), (1, 2...256):
            return (0..<count).map { number in
                withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { buffer in
                    buffer.storeBytes(of: UInt64(number), as: UInt64.self)
                    return buffer.load(as: Value.self)
                }
            }
        default: return nil
        }
    }
}

extension CaseIterable {
    fileprivate static var listed: [Self] { Array(allCases) }
}
