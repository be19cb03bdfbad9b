// A headless Matrix client on Element's own crypto engine, moved by lines of JSON.
//
// In: one JSON object a line, {"do": "...", ...}. Out: one object a line: {"ok": ...} or
// {"error": "..."} answers a command; {"event": ...} is news from a room. See peer.py.
import { createInterface } from "node:readline";
import { createClient, ClientEvent, MatrixEventEvent, RoomMemberEvent } from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger.js";
import {
  AllDevicesIsolationMode,
  OnlySignedDevicesIsolationMode,
} from "matrix-js-sdk/lib/crypto-api/index.js";

logger.setLevel("silent");
// Its own engine logs to the console; the lines here are for the test alone.
for (const level of ["log", "info", "debug", "warn", "error", "trace"]) console[level] = () => {};

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

let client;

const tell = (event) => {
  if (event.getType() !== "m.room.message" && !event.isDecryptionFailure()) return;
  say({
    event: {
      room: event.getRoomId(),
      id: event.getId(),
      sender: event.getSender(),
      body: event.getContent().body ?? "",
      failure: event.decryptionFailureReason,
      clear: !event.isEncrypted(),
    },
  });
};

const commands = {
  // Sign in to the crypto engine, sign the own device, and sync.
  async start({ url, user, device, token, password, exclude }) {
    client = createClient({ baseUrl: url, userId: user, deviceId: device, accessToken: token });
    await client.initRustCrypto({ useIndexedDB: false });
    const crypto = client.getCrypto();
    crypto.setDeviceIsolationMode(
      exclude ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false),
    );
    await crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: (request) =>
        request({
          type: "m.login.password",
          identifier: { type: "m.id.user", user },
          password,
        }),
    });
    client.on(ClientEvent.Event, (event) => {
      if (!event.isEncrypted()) tell(event);
    });
    client.on(MatrixEventEvent.Decrypted, tell);
    const ready = new Promise((resolve) =>
      client.on(ClientEvent.Sync, (state) => state === "PREPARED" && resolve()),
    );
    await client.startClient({ initialSyncLimit: 20 });
    await ready;
  },

  // An encrypted room with these people; its id, once they are all in it.
  async room({ invite }) {
    const { room_id } = await client.createRoom({
      invite,
      initial_state: [
        { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
      ],
    });
    const joined = () =>
      client.getRoom(room_id)?.getJoinedMembers().length === invite.length + 1 &&
      client.getRoom(room_id).hasEncryptionStateEvent();
    while (!joined()) {
      await new Promise((resolve) => client.once(RoomMemberEvent.Membership, () => setTimeout(resolve, 20)));
    }
    return room_id;
  },

  async say({ room, text }) {
    return (await client.sendTextMessage(room, text)).event_id;
  },

  // What the engine thinks of who wrote an event: null when all is well.
  async shield({ room, id }) {
    const event = client.getRoom(room).findEventById(id);
    const shown = await client.getCrypto().getEncryptionInfoForEvent(event);
    return { colour: shown.shieldColour, reason: shown.shieldReason };
  },

  async stop() {
    client.stopClient();
    setTimeout(() => process.exit(0), 10);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...details } = JSON.parse(line);
  try {
    say({ ok: (await commands[name](details)) ?? null });
  } catch (error) {
    say({ error: String(error?.message ?? error) });
  }
}
