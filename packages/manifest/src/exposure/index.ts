export { exposureOf } from "./exposure.ts";
export { type Exposure, EXPOSURE_TARGETS, type ExposureTarget, type Observer, type Sight } from "./sight.ts";
