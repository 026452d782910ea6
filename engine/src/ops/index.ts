/**
 * Every operation: importing this file registers them all.
 */
import './attention';
import './binary';
import './blocked_products';
import './casts';
import './comparison';
import './convolution';
import './creation';
import './custom_kernel';
import './diagonals';
import './einsum';
import './fast';
import './fft';
import './gated_delta';
import './gathering';
import './indexing';
import './joining';
import './linear_algebra';
import './chain';
import './matmul';
import './transposed_products';
import './padding';
import './permuting';
import './quantize';
import './quantized_products';
import './random';
import './recurrent';
import './reductions';
import './scans';
import './shaping';
import './softmax';
import './sorting';
import './splitting';
import './unary';
import './view';
import './where';
