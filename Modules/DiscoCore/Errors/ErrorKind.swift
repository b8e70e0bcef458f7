/// The kind of an error. A front end chooses its status by kind, whatever the code.
public enum ErrorKind: String, CaseIterable, Sendable {
    /// The request is malformed and would always be refused.
    case invalid
    /// The caller is not authorized, or the settings do not allow it.
    case unauthorized
    /// What the request names does not exist.
    case notFound = "not_found"
    /// The request conflicts with what is recorded.
    case conflict
    /// What the request names was deleted.
    case gone
    /// A limit was reached: a full queue, or the time allowed.
    case exhausted
    /// The store cannot be used at the moment. The same request may succeed later.
    case unavailable
    /// It is unknown whether the request took effect.
    case unknownOutcome = "unknown_outcome"
    /// Something is wrong with the program or its data.
    case `internal`

    /// Whether something failed; if `false`, the program works and the answer is no.
    public var isFailure: Bool {
        switch self {
        case .invalid, .unauthorized, .notFound, .conflict, .gone, .exhausted: false
        case .unavailable, .unknownOutcome, .internal: true
        }
    }
}
