#if HTTP
import Dispatch

/// Threads for followers only. An event wakes all followers at once: on the threads of the requests, the next append
/// would have to wait until the last of them has got it.
///
/// What runs here starts no child tasks (`async let`): 2,000 followers that had one each and went away at once made the
/// concurrency runtime crash at the end of such a task.
final class FollowerExecutor: TaskExecutor {
    static let shared = FollowerExecutor()

    private let queue = DispatchQueue(label: "disco-followers", qos: .utility, attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
#endif
