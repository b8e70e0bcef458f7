public import Foundation

/// Looks up what was recorded under a key, and forgets old keys.
public protocol IdempotencyKeyStore: Sendable {
    /// Returns what was recorded under this key, or `nil` if nothing was or the key was forgotten.
    ///
    /// - Throws: ``IdempotencyConflict`` if the key was used for other content.
    func recorded(under key: IdempotencyKey) async throws -> Appended?

    /// Forgets the keys stored before `date`: a request repeated later takes effect again.
    ///
    /// - Parameters:
    ///   - date: keys stored before it are forgotten.
    ///   - ofPolicies: whether to forget the keys of policies' commands, which are kept otherwise: an event that is
    ///     parked may be tried again at any time.
    /// - Returns: the number of keys forgotten.
    @discardableResult
    func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int
}
