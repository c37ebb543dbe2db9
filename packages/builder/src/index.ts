export { type UnpackedImage, type UnpackOptions, unpackImage } from "./box/unpack-image.ts";
export { type BuildOptions, type BuiltBox, buildBox } from "./build-box.ts";
export { BuildError, type BuildErrorCode, type BuildProblem } from "./build-error.ts";
export { type ImageLimits, imageLimits } from "./limits.ts";
export type { BuildProgress } from "./progress.ts";
export type { BoxEvent } from "./local/box-event.ts";
export { type BoxExit, type RunningBox, type RunOptions, runBox } from "./local/run-box.ts";
export { RunError, type RunErrorCode } from "./local/run-error.ts";
