public import Foundation

/// Looks up what was recorded under a key, and forgets old keys.
public protocol IdempotencyKeyStore: Sendable {
    /// Returns what was recorded under this key, or `nil` if nothing was or the key was forgotten.
    ///
    /// - Throws: ``IdempotencyConflict`` if the key was used for other content.
    func recorded(under key: IdempotencyKey) async throws -> Appended?

    /// Forgets the keys stored before `date`: a request repeated later takes effect again.
    ///
    /// - Returns: the number of keys forgotten.
    @discardableResult
    func forgetKeys(storedBefore date: Date) async throws -> Int
}
