/** The one link that the application has. Its own addresses, of no meaning anywhere else. */
export const APP_ADDRESS = "10.200.0.2";
export const GATE_ADDRESS = "10.200.0.1";
export const PREFIX_LENGTH = 30;

/** Where the gate listens for DNS, by TCP and UDP, on its own address alone. */
export const DNS_PORT = 53;

/** Names of the two ends. */
export const APP_INTERFACE = "eth0";
export const GATE_INTERFACE = "app0";
