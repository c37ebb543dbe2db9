/** Two networks: the box's, with one link to the internet's; and nothing leads from there to this machine. */
import { execFileSync } from "node:child_process";
import { BOX_ADDRESS, GATEWAY_ADDRESS, RESOLVER } from "./names.ts";

export interface Networks {
  readonly box: string;
  readonly internet: string;
  remove(): void;
}

/** Needs root. */
export function createNetworks(tag: string): Networks {
  const [box, internet] = [`blindbox-${tag}-box`, `blindbox-${tag}-net`];
  const remove = (): void => {
    for (const name of [box, internet]) execFileSync("ip", ["netns", "delete", name], { stdio: "ignore" });
  };
  for (const name of [box, internet]) {
    execFileSync("ip", ["netns", "add", name]);
    for (const scope of ["all", "default"]) {
      execFileSync("ip", [
        "netns",
        "exec",
        name,
        "sh",
        "-c",
        `echo 1 > /proc/sys/net/ipv6/conf/${scope}/disable_ipv6 || true`,
      ]);
    }
  }
  configure(internet, [
    "link set lo up",
    `link add up0 type veth peer name net0 netns ${box}`,
    `address add ${GATEWAY_ADDRESS}/24 dev up0`,
    // Any address is ours, but only one that is written down can be listened on alone.
    `address add ${RESOLVER}/32 dev lo`,
    "link set up0 up",
    "route add local 0.0.0.0/0 dev lo table local",
    `route add ${BOX_ADDRESS}/32 dev up0 table local`,
  ]);
  configure(box, [
    "link set lo up",
    `address add ${BOX_ADDRESS}/24 dev net0`,
    "link set net0 up",
    `route add default via ${GATEWAY_ADDRESS}`,
  ]);
  return { box, internet, remove };
}

function configure(name: string, commands: readonly string[]): void {
  execFileSync("ip", ["-n", name, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}
