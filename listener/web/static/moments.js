// A page that only shows moments: in the viewer's own zone.
import { tick } from "./times.js";

tick(document);
