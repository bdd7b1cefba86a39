/** Messages on a stream of bytes: a length of four bytes, then the message as V8 serializes it. Only for peers that are trusted. */
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

const headBytes = 4;
/** A frame that says it is longer is taken for a fault: a database has no value of that size. */
export const frameBytesMax = 1_073_741_824;

export function sendFrame(socket: Socket, message: unknown): void {
  socket.write(encodeFrame(message));
}

export function encodeFrame(message: unknown): Buffer {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(headBytes + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, headBytes);
  return frame;
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
    let data = held.length === 1 ? chunk : Buffer.concat(held);
    wantedBytes = headBytes;
    while (data.length >= headBytes) {
      const bodyBytes = data.readUInt32LE(0);
      if (bodyBytes > frameBytesMax) return void socket.destroy(new Error(`a frame of ${bodyBytes} bytes is over the limit`));
      wantedBytes = headBytes + bodyBytes;
      if (data.length < wantedBytes) break;
      hear(deserialize(data.subarray(headBytes, wantedBytes)));
      data = data.subarray(wantedBytes);
      wantedBytes = headBytes;
    }
    held = data.length === 0 ? [] : [data];
    heldBytes = data.length;
  });
}
