#if HTTP
import DiscoCore
import Foundation
import TestSupport
import Testing

/// The OpenAPI document, and that requests are refused as it says.
@Suite(.timeLimit(.minutes(1))) struct DocumentTests {
    @Test func everyReferenceHasItsComponent() async throws {
        try await withServer { server in
            let document = try await server.ask("GET", "/openapi.json").json
            var references: Set<String> = []
            func visit(_ value: JSON) {
                if let name = value["$ref"]?.string { references.insert(name) }
                for member in value.object ?? [:] { visit(member.value) }
                for element in value.array ?? [] { visit(element) }
            }
            visit(document)
            #expect(references.count > 40)
            for reference in references {
                let names = reference.split(separator: "/").dropFirst()
                let target = names.reduce(Optional(document)) { $0?[String($1)] }
                #expect(target != nil, "\(reference)")
            }
            // Each response of a problem has its own name.
            let conflict = document["paths"]?["/streams/{stream}/events"]?["post"]?["responses"]?["409"]
            #expect(conflict == ["$ref": "#/components/responses/Conflict"])
        }
    }

    /// Bytes that are not ASCII have no agreed encoding in a header: two keys would become one.
    @Test(arguments: ["é", "è", "a\tb", "$mine", "", String(repeating: "k", count: 256)])
    func aKeyThatAHeaderDoesNotKeepIsRefused(key: String) async throws {
        try await withServer { server in
            let answer = try await server.ask(
                "POST", "/streams/a-1/events", #"{"type": "T"}"#, ["Idempotency-Key": key])
            #expect(answer.status == 400)
            #expect(answer.json["fields"]?["Idempotency-Key"]?.array?.count == 1)
            #expect(try await server.ask("GET", "/head").json == ["head": 0])
        }
    }

    @Test(arguments: ["%2B1", "-1", "1.0", "1e0", "", "%201"])
    func anIntegerOfTheURLHasOnlyDigits(text: String) async throws {
        try await withServer { server in
            for path in ["/events?after=", "/events?limit=", "/counts?up_to=", "/streams/a-1/events?from="] {
                let answer = try await server.ask("GET", path + text)
                #expect(answer.status == 400, "\(path)\(text)")
            }
            let position = text.replacing("%2B", with: "+").replacing("%20", with: "")
            if position != "1", !position.isEmpty {
                let headers = ["Last-Event-ID": position]
                let answer = try await server.ask("GET", "/events/live", nil, headers)
                #expect(answer.status == 400, "\(position)")
            }
        }
    }

    @Test func aPayloadHasOneForm() async throws {
        try await withServer { server in
            func append(_ members: String) async throws -> RunningServer.Answer {
                try await server.ask("POST", "/streams/a-1/events", #"{"type": "T", \#(members)}"#)
            }
            #expect(try await append(#""payload": null, "payload_text": "1", "payload_base64": null"#).status == 201)
            #expect(try await append(#""payload": 1, "payload_text": null"#).status == 201)
            #expect(try await append(#""payload_base64": "MQ==""#).status == 201)
            let both = try await append(#""payload": 1, "payload_text": "1""#)
            #expect(both.json["fields"] == ["payload_text": ["must not be combined with another form of payload"]])
            let texts = try await append(#""metadata_text": "{}", "metadata_base64": "e30=""#)
            #expect(texts.json["fields"] == ["metadata_base64": ["must not be combined with another form of metadata"]])
            let payloads = try await server.ask("GET", "/events").json["events"]?.array?.map { $0["payload"] }
            #expect(payloads == [1, 1, 1])
        }
    }

    @Test func aCloudEventNamesItsStreamAndItsTrace() async throws {
        try await withServer { server in
            let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            _ = try await server.ask(
                "POST", "/streams/a-%C3%A9%20%23/events",
                #"{"type": "T", "metadata": {"$trace": {"traceparent": "\#(trace)"}}}"#)
            let events = try await server.ask("GET", "/events", nil, ["Accept": "application/cloudevents-batch+json"])
            let event = try #require(events.json[0])
            #expect(event["subject"] == "a-é #")
            #expect(event["source"]?.string?.hasSuffix("/streams/a-%C3%A9%20%23") == true)
            #expect(event["traceparent"] == .string(trace))
        }
    }
}
#endif
