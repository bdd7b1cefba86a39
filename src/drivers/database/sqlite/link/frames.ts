/**
 * Messages on a stream of bytes: the length of four bytes and the form of one, then the message. Only for peers that are trusted.
 *
 * The form is JSON wherever that says the same, which is nearly always: node:v8's serializer holds on to all that it has written until
 * it is collected itself, so that every collection of young objects copied what was written since the one before. It is left to
 * integers beyond 2^53, bytes, and the numbers that JSON does not know.
 */
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

const headBytes = 5;
const forms = { json: 0, v8: 1 } as const;
/** A frame that says it is longer is taken for a fault: a database has no value of that size. */
export const frameBytesMax = 1_073_741_824;

export function sendFrame(socket: Socket, message: unknown): void {
  socket.write(encodeFrame(message));
}

export function encodeFrame(message: unknown): Buffer {
  if (!isJson(message)) {
    const body = serialize(message);
    const frame = startFrame(forms.v8, body.length);
    body.copy(frame, headBytes);
    return frame;
  }
  const text = JSON.stringify(message);
  const frame = startFrame(forms.json, Buffer.byteLength(text));
  frame.write(text, headBytes);
  return frame;
}

function startFrame(form: number, bodyBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + bodyBytes);
  frame.writeUInt32LE(bodyBytes, 0);
  frame[headBytes - 1] = form;
  return frame;
}

/** Whether JSON gives back the same. */
function isJson(value: unknown): boolean {
  if (typeof value === "string" || value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object" || ArrayBuffer.isView(value)) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isJson(item)) return false;
    return true;
  }
  for (const key in value) if (!isJson((value as Record<string, unknown>)[key])) return false;
  return true;
}

/** Calls with each message that has come whole; a frame that is too long ends the stream with an error. */
export function hearFrames(socket: Socket, hear: (message: unknown) => void): void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wantedBytes = headBytes;
  socket.on("data", (chunk: Buffer) => {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < wantedBytes) return;
    const data = held.length === 1 ? chunk : Buffer.concat(held);
    let at = 0;
    wantedBytes = headBytes;
    while (data.length - at >= headBytes) {
      const bodyBytes = data.readUInt32LE(at);
      if (bodyBytes > frameBytesMax) return void socket.destroy(new Error(`a frame of ${bodyBytes} bytes is over the limit`));
      const end = at + headBytes + bodyBytes;
      if (data.length < end) {
        wantedBytes = end - at;
        break;
      }
      hear(readBody(data, at + headBytes, end));
      at = end;
    }
    held = at === data.length ? [] : [data.subarray(at)];
    heldBytes = data.length - at;
  });
}

function readBody(data: Buffer, start: number, end: number): unknown {
  return data[start - 1] === forms.v8 ? deserialize(data.subarray(start, end)) : JSON.parse(data.toString("utf8", start, end));
}
