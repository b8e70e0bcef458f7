/// What sort of error it is: by it a front end chooses its status, whatever the code.
public enum ErrorKind: String, CaseIterable, Sendable {
    /// The request is malformed, and would be refused whenever it is sent.
    case invalid
    /// The caller, or the settings, do not allow it.
    case unauthorized
    /// What the request names does not exist.
    case notFound = "not_found"
    /// It conflicts with what is recorded.
    case conflict
    /// It was deleted.
    case gone
    /// A limit was reached: a full queue, or the time allowed.
    case exhausted
    /// The store cannot be used at the moment. The same request may succeed later.
    case unavailable
    /// It is not known whether it was done.
    case unknownOutcome = "unknown_outcome"
    /// Something is wrong with the program or its data.
    case `internal`

    /// Whether something went wrong; otherwise everything works, and the answer is no.
    public var isFailure: Bool {
        switch self {
        case .invalid, .unauthorized, .notFound, .conflict, .gone, .exhausted: false
        case .unavailable, .unknownOutcome, .internal: true
        }
    }
}
