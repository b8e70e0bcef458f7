/// How many containers enclose a value, and how many calls led to it.
struct EncodingDepth {
    final class Exceeded {
        var isExceeded = false
    }

    private var containers = 0
    private var calls = 0
    /// A container cannot report that it exceeds the limit: that is recorded here, and its contents are discarded.
    let exceeded = Exceeded()

    /// Calls use the stack, whether or not they nest containers.
    private static let mostCalls = 1024

    var left: Int { JSONParser.deepest - containers }
    var isTooDeep: Bool { containers > JSONParser.deepest || calls > Self.mostCalls }

    /// The depth of values in a container at this depth; `nil` if such a container would exceed the limit.
    var inside: EncodingDepth? {
        var depth = self
        depth.containers += 1
        if depth.isTooDeep { exceeded.isExceeded = true }
        return depth.isTooDeep ? nil : depth
    }

    var called: EncodingDepth {
        var depth = self
        depth.calls += 1
        return depth
    }
}
