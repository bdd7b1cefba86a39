/** `holdfast/testing`: an app on a database of its own for a test, and scenarios that say what crosses the wire. */
export { createSteppedClock, type SteppedClock } from "../base/clock.ts";
export { createCountingIds, type IdMaker } from "../base/ids.ts";
export { type ChangeRecord } from "../engine/feed.ts";
export { type Reply, type TestRequest } from "./requests.ts";
export { type ChangeText, defineScenarios, runScenarios, type Scenario, type SubtestRunner } from "./scenarios.ts";
export { createTestApp, type TestActor, type TestApp, type TestAppOptions } from "./test-app.ts";
