public import Foundation

/// Looks up what was recorded under a key, and forgets keys that have grown old.
public protocol IdempotencyKeyStore: Sendable {
    /// What was recorded under this key, nil where nothing was, or where the key was forgotten.
    ///
    /// - Throws: ``IdempotencyConflict`` where it was used for something else.
    func recorded(under key: IdempotencyKey) async throws -> Appended?

    /// Forgets the keys that were stored before `date`: a request that is repeated later takes effect again.
    ///
    /// - Returns: how many they were.
    @discardableResult
    func forgetKeys(storedBefore date: Date) async throws -> Int
}
