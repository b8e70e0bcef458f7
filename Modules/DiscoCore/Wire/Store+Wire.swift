extension StoreIdentity: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("store", store)
        writer.member("epoch", JSON(epoch))
    }

    init(_ object: inout WireObject) throws {
        self.init(store: try object.required("store").uuid(), epoch: try object.required("epoch").integer())
    }
}

extension StreamInfo: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("stream", stream.name)
        writer.member("version", JSON(version))
    }

    init(_ object: inout WireObject) throws {
        self.init(
            stream: StreamID(try object.required("stream").string()), version: try object.required("version").integer())
    }
}

/// `{"stream": …, "name": …, "fingerprint": …, "version": …, "state": …}`, the state byte for byte.
extension Snapshot: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("stream", key.stream.name)
        writer.member("name", key.name)
        writer.member("fingerprint", key.fingerprint)
        writer.member("version", JSON(version))
        writer.verbatim("state", state, isOptional: false)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            key: SnapshotKey(
                stream: StreamID(try object.required("stream").string()), name: try object.required("name").string(),
                fingerprint: try object.required("fingerprint").string()),
            version: try object.required("version").integer(),
            state: try object.verbatim("state") ?? JSONText(JSON.null))
    }
}

extension VerifiedPage: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("findings", findings)
        writer.member("through", through)
        writer.member("head", head)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            findings: try object.required("findings").elements().map { try $0.record(Finding.self) },
            through: try object.required("through").position(), head: try object.required("head").position())
    }
}

/// `{"finding": "wrong_version", "position": 7, …, "message": …}`
extension Finding: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        switch self {
        case .missingPositions(let first, let last):
            writer.member("finding", "missing_positions")
            writer.member("position", first)
            writer.member("through", last)
        case .wrongVersion(let position, let stream, let version, let expected):
            writer.member("finding", "wrong_version")
            writer.member("position", position)
            writer.member("stream", stream.name)
            writer.member("version", JSON(version))
            writer.member("expected", JSON(expected))
        case .missingName(let position):
            writer.member("finding", "missing_name")
            writer.member("position", position)
        case .damagedPayload(let position, let stream, let reason):
            writer.member("finding", "damaged_payload")
            writer.member("position", position)
            writer.member("stream", stream.name)
            writer.member("reason", reason)
        case .timeRunsBackwards(let position):
            writer.member("finding", "time_runs_backwards")
            writer.member("position", position)
        case .wrongTags(let position, let stream):
            writer.member("finding", "wrong_tags")
            writer.member("position", position)
            writer.member("stream", stream.name)
        }
        writer.member("message", description)
    }

    init(_ object: inout WireObject) throws {
        let position = try object.required("position").position()
        let finding = try object.required("finding")
        func stream(_ object: inout WireObject) throws -> StreamID {
            StreamID(try object.required("stream").string())
        }
        self =
            switch try finding.string() {
            case "missing_positions":
                .missingPositions(position, through: try object.required("through").position())
            case "wrong_version":
                .wrongVersion(
                    position, stream: try stream(&object), version: try object.required("version").integer(),
                    expected: try object.required("expected").integer())
            case "missing_name": .missingName(position)
            case "damaged_payload":
                .damagedPayload(
                    position, stream: try stream(&object), reason: try object.required("reason").string())
            case "time_runs_backwards": .timeRunsBackwards(position)
            case "wrong_tags": .wrongTags(position, stream: try stream(&object))
            default: throw finding.error("is not a known finding")
            }
    }
}
