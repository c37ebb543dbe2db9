import { describe, expect, it } from "vitest";
import { parseArguments } from "../src/arguments.ts";

describe("the command line of a box", () => {
  it("needs nothing", () => {
    expect(parseArguments([], {})).toEqual({
      exitWithParent: false,
      root: "/blindbox",
      host: "0.0.0.0",
      port: 8443,
      driver: "auto",
      scratch: "/run/blindbox",
      resolvers: null,
      extra: {},
    });
  });

  it("says where things are", () => {
    const argv = [
      "--exit-with-parent",
      "--root",
      "/r",
      "--listen",
      "[::1]:0",
      "--driver",
      "rooted",
      "--scratch=/s",
      "--resolver=11.0.0.53,[2001:db8::53]:5353",
      "--device",
      "/d",
    ];
    expect(parseArguments(argv, { device: "required" })).toEqual({
      exitWithParent: true,
      root: "/r",
      host: "::1",
      port: 0,
      driver: "rooted",
      scratch: "/s",
      resolvers: ["11.0.0.53", "[2001:db8::53]:5353"],
      extra: { device: "/d" },
    });
  });

  it.each([
    ["an unknown option", ["--debug"]],
    ["a position", ["x"]],
    ["an option of another entry", ["--device", "/d"]],
    ["an option without value", ["--root"]],
    ["a flag in the place of a value", ["--root", "--exit-with-parent"]],
    ["a flag with a value", ["--exit-with-parent=no"]],
    ["a relative root", ["--root", "r"]],
    ["a zero byte", ["--root", "/r\0x"]],
    ["a relative scratch", ["--scratch", "s"]],
    ["an unknown driver", ["--driver", "none"]],
    ["a resolver that is a name", ["--resolver", "dns.example.com"]],
    ["a resolver without address", ["--resolver", ""]],
    ["a resolver at port 0", ["--resolver", "11.0.0.53:0"]],
    ["a resolver at a port that is none", ["--resolver", "11.0.0.53:65536"]],
    ["five resolvers", ["--resolver", "11.0.0.1,11.0.0.2,11.0.0.3,11.0.0.4,11.0.0.5"]],
    ["an IPv6 resolver without brackets", ["--resolver", "2001:db8::53"]],
    ["a port alone", ["--listen", "8443"]],
    ["a port that is none", ["--listen", "x:65536"]],
    ["a host that is none", ["--listen", "a/b:1"]],
    ["IPv6 without brackets", ["--listen", "::1:8443"]],
  ])("refuses %s", (_, argv) => {
    expect(() => parseArguments(argv, {})).toThrow(expect.objectContaining({ code: "arguments-invalid" }));
  });

  it("refuses to go without an option of its own entry", () => {
    expect(() => parseArguments([], { device: "required" })).toThrow("--device: missing");
    expect(() => parseArguments(["--device="], { device: "required" })).toThrow("--device: missing");
  });

  it("lets an optional one be left out, and not be empty", () => {
    const extra = { endorsements: "optional" } as const;
    expect(parseArguments([], extra).extra).toEqual({ endorsements: null });
    expect(parseArguments(["--endorsements", "/e"], extra).extra).toEqual({ endorsements: "/e" });
    expect(() => parseArguments(["--endorsements="], extra)).toThrow("--endorsements: missing");
  });
});
