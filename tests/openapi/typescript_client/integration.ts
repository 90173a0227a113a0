// A small real integration against the types that `openapi-typescript` makes, with `openapi-fetch` as the client.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Achievement = components["schemas"]["AchievementIn"];
type Contribution = components["schemas"]["ContributionIn"];
type Line = components["schemas"]["LineOut"];
type Refusal = components["schemas"]["Problem"];
type Answer<Data> = { data?: Data; error?: Refusal };

const [baseUrl, adminToken] = process.argv.slice(2) as [string, string];
const slug = "type-circle";
const path = { slug };

function client(token?: string) {
  return createClient<paths>({ baseUrl, headers: token ? { Authorization: `Bearer ${token}` } : {} });
}

async function got<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error } = await asked;
  assert.ok(data, `expected an answer, got ${error?.code}: ${error?.detail}`);
  return data;
}

const asLines = {
  headers: { "Content-Type": "application/x-ndjson" },
  bodySerializer: (body: string) => body,
  parseAs: "text",
} as const;

function lines(...items: object[]): string {
  return items.map((item) => JSON.stringify(item)).join("\n");
}

async function settled(answer: string): Promise<Line["status"][]> {
  const answers = answer.trim().split("\n").map((line) => JSON.parse(line) as Line);
  const import_id = answers.at(-1)?.import ?? assert.fail("the last line names the import");
  const one = { params: { path: { slug, import_id } } };
  while ((await got(api.GET("/v1/networks/{slug}/imports/{import_id}", one))).state !== "settled") {
    await setTimeout(50);
  }
  return answers.map((line) => line.status);
}

const admin = client(adminToken);
const network = await got(
  admin.POST("/v1/networks", {
    body: { slug, name: "Type Circle", kind: "informal", url: "https://type.example/", time_zone: "Europe/Berlin" },
  }),
);
assert.equal(network.state, "active");
await got(admin.PUT("/v1/networks/{slug}/confirmation", { params: { path }, body: { name: network.name } }));
const { token } = await got(
  admin.POST("/v1/networks/{slug}/tokens", {
    params: { path },
    body: { name: "Forum", scopes: ["read", "members:write", "evidence:write", "achievements:write", "awards:write"] },
  }),
);
const api = client(token);

const member = await got(
  api.PUT("/v1/networks/{slug}/members/{ref}", {
    params: { path: { slug, ref: "m1" } },
    body: { name: "Member 1", email: "m1@type.example" },
  }),
);
assert.equal(member.ref, "m1");

const sharer: Achievement = {
  ref: "sharer",
  name: "Sharer",
  description: "Shared two resources.",
  achievement_type: "Badge",
  award: "automatic",
  publish: true,
  criteria: {
    narrative: "Share two different resources.",
    rule: { all: [{ rule: "count", where: { types: ["shared"] }, distinct: "resource", gte: 2 }] },
  },
};
const achievement = await got(api.POST("/v1/networks/{slug}/achievements", { params: { path }, body: sharer }));
assert.equal(achievement.published_version, 1);

const awarded: string[] = [];
for (const ref of ["a", "b"]) {
  const posted = await got(
    api.POST("/v1/networks/{slug}/contributions", {
      params: { path, header: { "Idempotency-Key": `shared-${ref}` } },
      body: {
        ref,
        member: "m1",
        type: "shared",
        occurred_at: "2026-09-18T15:00:00Z",
        resource: `https://type.example/${ref}`,
      },
    }),
  );
  assert.equal(posted.status, "accepted");
  awarded.push(...posted.awards.map((award) => award.achievement));
}
assert.deepEqual(awarded, ["sharer"]);

const progress = await got(
  api.GET("/v1/networks/{slug}/members/{ref}/progress", { params: { path: { slug, ref: "m1" } } }),
);
assert.deepEqual(progress.items.map((standing) => [standing.achievement, standing.met]), [["sharer", true]]);

const awards = await got(api.GET("/v1/networks/{slug}/awards", { params: { path, query: { state: "awarded" } } }));
assert.equal(awards.items.length, 1);
assert.equal(awards.next, undefined);

// Bodies of many lines, and a correction of one of them that leaves its badge as it is.
const people = Array.from({ length: 20 }, (_, number) => ({ ref: `p${number}`, name: `Person ${number}` }));
const added = await got(
  api.POST("/v1/networks/{slug}/members/bulk", { params: { path }, body: lines(...people), ...asLines }),
);
assert.deepEqual(await settled(added), [...people.map(() => "accepted"), "complete"]);
const meetings = [1, 2, 3].map((day) => ({ ref: `s${day}`, series: "circle", starts_at: `2026-09-1${day}T16:00:00Z` }));
await got(api.POST("/v1/networks/{slug}/sessions/bulk", { params: { path }, body: lines(...meetings), ...asLines }));
const regular: Achievement = {
  ...sharer,
  ref: "regular",
  criteria: {
    narrative: "Come to three meetings.",
    rule: { rule: "attendance", series: "circle", min_sessions: 3, min_minutes: 45 },
  },
};
await got(api.POST("/v1/networks/{slug}/achievements", { params: { path }, body: regular }));
const attended = people.flatMap(({ ref: member }) =>
  meetings.map(
    ({ ref: session, starts_at }): Contribution => {
      return { ref: `${member}-${session}`, member, type: "attended", occurred_at: starts_at, session, minutes: 60 };
    },
  ),
);
const recorded = await got(
  api.POST("/v1/networks/{slug}/contributions/bulk", { params: { path }, body: lines(...attended), ...asLines }),
);
assert.deepEqual(await settled(recorded), [...attended.map(() => "accepted"), "complete"]);
const record = await got(
  api.GET("/v1/networks/{slug}/contributions/{ref}", { params: { path: { slug, ref: "p1-s1" } } }),
);
for (const dry_run of [true, false]) {
  const corrected = await got(
    api.POST("/v1/networks/{slug}/records/{record_id}/correction", {
      params: { path: { slug, record_id: record.id } },
      body: { changes: { minutes: 55 }, reason: "The attendance sheet says 55 minutes.", dry_run },
    }),
  );
  assert.deepEqual(corrected.awards.map((award) => [award.achievement, award.outcome]), [["regular", "kept"]]);
}
const standings = await got(
  api.GET("/v1/networks/{slug}/achievements/{ref}/progress", {
    params: { path: { slug, ref: "regular" }, query: { sort: "-progress", met: true, limit: 100 } },
  }),
);
assert.equal(standings.items.length, people.length);

const credentials = await got(api.GET("/v1/networks/{slug}/credentials", { params: { path, query: { achievement: "sharer" } } }));
const [badge] = credentials.items;
assert.ok(badge);

const report = await got(client().POST("/v1/verifications", { body: { url: badge.url } }));
assert.equal(report.verdict, "verified");
assert.deepEqual([...new Set(report.questions.map((question) => question.answer))], ["yes"]);

const refused = await api.POST("/v1/networks/{slug}/contributions", {
  params: { path },
  body: { member: "m1", type: "no-such-type", occurred_at: "2026-09-18T15:00:00Z" },
});
assert.equal(refused.response.status, 422);
assert.equal(refused.error?.status, 422);

const ended = await got(
  api.POST("/v1/credentials/{credential_id}/revocation", {
    params: { path: { credential_id: badge.id } },
    body: { reason: "It was issued by mistake." },
  }),
);
assert.equal(ended.state, "revoked");

const events = await got(api.GET("/v1/networks/{slug}/events", { params: { path, query: { limit: 200 } } }));
assert.ok(events.items.some((event) => event.type === "credential.revoked"));
console.log("The integration with the generated TypeScript client is complete.");
