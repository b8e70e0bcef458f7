package import Testing

/// Waits for a fact; where it has not come true by the deadline, that is an issue.
package func eventually(
    within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async rethrows {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await holds() { return }
        try? await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it did not come true within \(limit)", sourceLocation: sourceLocation)
}
