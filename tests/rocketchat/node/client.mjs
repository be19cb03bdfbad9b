// Rocket.Chat's own realtime and REST clients, moved by lines of JSON; see tests/node.py.
import { createInterface } from "node:readline";
import client from "@rocket.chat/ddp-client";

// The lines here are for the test alone.
for (const level of ["log", "info", "debug", "warn", "error", "trace"]) console[level] = () => {};

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

let sdk;

const commands = {
  // Open the realtime connection; news of its state are events.
  async connect({ url }) {
    sdk = client.DDPSDK.create(url, { retryCount: 20, retryTime: 50 });
    sdk.connection.on("connection", (state) => say({ event: { state } }));
    await sdk.connection.connect();
  },

  // Log in with a token that expires: this client reads the date of its end without looking.
  async login({ token }) {
    const { id, type } = await sdk.account.loginWithToken(token);
    sdk.rest.setCredentials({ "X-User-Id": id, "X-Auth-Token": token });
    return { id, type };
  },

  // What comes of a stream are events; done when the server is ready, an error when it refuses.
  async subscribe({ stream, key }) {
    const subscription = sdk.stream(stream, key, (...args) => say({ event: { stream, args } }));
    await new Promise((resolve, reject) =>
      subscription.onChange((answer) => ("error" in answer ? reject(answer.error) : resolve())),
    );
  },

  async call({ method, params }) {
    return sdk.client.callAsync(method, ...params);
  },

  async get({ path, query }) {
    return sdk.rest.get(path, query);
  },

  async post({ path, body }) {
    return sdk.rest.post(path, body);
  },
};

const words = async (error) => {
  if (error instanceof Response) return `${error.status} ${await error.text()}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...details } = JSON.parse(line);
  try {
    say({ ok: (await commands[name](details)) ?? null });
  } catch (error) {
    say({ error: await words(error) });
  }
}
