#if HTTP
package import AsyncHTTPClient
package import DiscoCore
import NIOCore
package import NIOHTTP1

/// What a server answers.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var text: String

    package init(status: Int, headers: HTTPHeaders, text: String) {
        self.status = status
        self.headers = headers
        self.text = text
    }

    package func header(_ name: String) -> String? { headers.first(name: name) }
    package var json: JSON { (try? JSONText(text).value()) ?? .null }
    package var lines: [JSON] { text.split(separator: "\n").map { (try? JSONText(String($0)).value()) ?? .null } }
    package var error: String? { json["error"]?.string }
    /// The messages of a refusal for invalid fields.
    package func messages(_ field: String) -> [String] { json["fields"]?[field]?.array?.compactMap(\.string) ?? [] }

    /// Asks a server; a body without a `Content-Type` is JSON.
    package static func asking(
        _ method: String, _ url: String, _ body: [UInt8]? = nil, _ headers: [(name: String, value: String)] = []
    ) async throws -> HTTPAnswer {
        let response = try await HTTPClient.shared.execute(
            request(method, url, body, headers), timeout: .seconds(30))
        let data = try await response.body.collect(upTo: 64 << 20)
        return HTTPAnswer(status: Int(response.status.code), headers: response.headers, text: String(buffer: data))
    }

    package static func request(
        _ method: String, _ url: String, _ body: [UInt8]?, _ headers: [(name: String, value: String)]
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.body = .bytes(ByteBuffer(bytes: body))
            if !request.headers.contains(name: "Content-Type") {
                request.headers.add(name: "Content-Type", value: "application/json")
            }
        }
        return request
    }
}
#endif
