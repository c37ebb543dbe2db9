// An application that does what its caller asks: look around, and try to get out. Runs inside the sandbox.
import { exec } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { readdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";

const within = (ms, promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error("silence")), ms))]);

const connected = (options) =>
  new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      socket.destroy();
      resolve("connected");
    });
    socket.on("error", reject);
  });

const said = (options) =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(options).setEncoding("utf8");
    socket.on("data", (chunk) => (text += chunk));
    socket.on("end", () => resolve(text)).on("error", reject);
  });

const actions = {
  status: () => readFileSync("/proc/self/status", "utf8"),
  read: ({ path }) => readFileSync(path, "utf8"),
  list: ({ path }) => readdirSync(path).sort(),
  environment: () => readFileSync("/proc/self/environ", "utf8").split("\0").filter(Boolean).sort(),
  write: ({ path }) => writeFileSync(path, "x"),
  fill: ({ path, bytes }) => writeFileSync(path, Buffer.alloc(Number(bytes))),
  size: ({ path }) => {
    const { bsize, blocks } = statfsSync(path);
    return bsize * blocks;
  },
  tcp: ({ host, port }) => within(2000, connected({ host, port: Number(port) })),
  talk: ({ host, port }) => within(5000, said({ host, port: Number(port) })),
  unix: ({ path }) => within(2000, connected({ path: decodeURIComponent(path).replace(/^@/, "\0") })),
  udp: ({ host, port }) =>
    within(
      1000,
      new Promise((resolve, reject) => {
        const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
        socket.on("error", reject).on("message", () => resolve("answered"));
        socket.connect(Number(port), host, (error) => (error ? reject(error) : socket.send("hello")));
      }),
    ),
  dns: ({ name }) => within(3000, lookup(name)),
  shell: ({ command }) =>
    new Promise((resolve) => {
      exec(decodeURIComponent(command), { shell: "/bin/sh", timeout: 15_000 }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
      );
    }),
  say: ({ text }) => process.stdout.write(text),
  end: ({ code }) => setTimeout(() => process.exit(Number(code)), 10),
  pid: () => process.pid,
};

createServer(async (request, response) => {
  const url = new URL(request.url, "http://app");
  try {
    const result = await actions[url.pathname.slice(1)](Object.fromEntries(url.searchParams));
    response.end(JSON.stringify({ result: result ?? null }));
  } catch (error) {
    response.end(JSON.stringify({ error: error.code ?? error.message }));
  }
}).listen(80);

process.on("SIGTERM", () => {
  process.stdout.write("told to end\n");
  if (process.env.STUBBORN === undefined) process.exit(0);
});
