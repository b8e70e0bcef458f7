package import Testing

/// Waits for a condition; records an issue if it is not true by the deadline.
package func eventually(
    within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async rethrows {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await holds() { return }
        try? await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("the condition did not become true within \(limit)", sourceLocation: sourceLocation)
}
