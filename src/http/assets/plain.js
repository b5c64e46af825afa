// A page that the appliance draws, renewed when phones change.

import { renewing } from "/renew.js";

renewing(["phone"], 30);
