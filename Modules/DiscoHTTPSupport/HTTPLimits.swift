#if HTTP
/// What a server accepts from one request.
package struct HTTPLimits: Sendable {
    package var bodyBytes: Int
    /// How long a request may take, its body included; streams of events are not limited.
    package var requestTime: Duration

    package init(bodyBytes: Int, requestTime: Duration) {
        self.bodyBytes = bodyBytes
        self.requestTime = requestTime
    }
}
#endif
