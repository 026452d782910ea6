/**
 * Every operation: importing this file registers them all.
 */
import './binary';
import './casts';
import './comparison';
import './convolution';
import './creation';
import './diagonals';
import './einsum';
import './fast';
import './gathering';
import './indexing';
import './joining';
import './matmul';
import './padding';
import './permuting';
import './quantize';
import './quantized_products';
import './random';
import './recurrent';
import './reductions';
import './scans';
import './shaping';
import './sorting';
import './splitting';
import './unary';
import './view';
import './where';
